"""Topics: an overview by BERTopic, events by average linkage, names, and what is kept between runs."""
