"""TED, ready in a fraction of the time."""

from __future__ import annotations

from typing import Any, Dict, Text

from rasa.core.featurizers.tracker_featurizers import MaxHistoryTrackerFeaturizer, TrackerFeaturizer
from rasa.core.policies.ted_policy import TED, TEDPolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.utils.tensorflow.model_data import RasaModelData


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITH_END_TO_END_SUPPORT, is_trainable=True)
class QuickStartTEDPolicy(TEDPolicy):
    """TED that compiles only what it predicts with.

    The original trains on one example at every load, to give the weights their shapes; compiling
    that training graph is most of the engine's start (docs/adr/0011-quick-start.md). A prediction
    shapes them as well.
    """

    @classmethod
    def _load_tf_model(
        cls,
        model_utilities: Dict[Text, Any],
        model_data_example: RasaModelData,
        predict_data_example: RasaModelData,
        featurizer: TrackerFeaturizer,
        should_finetune: bool,
    ) -> TED:
        if should_finetune:
            return super()._load_tf_model(
                model_utilities, model_data_example, predict_data_example, featurizer, should_finetune
            )
        model = cls.model_class()(
            data_signature=model_data_example.get_signature(),
            config=model_utilities["model_config"],
            max_history_featurizer_is_used=isinstance(featurizer, MaxHistoryTrackerFeaturizer),
            label_data=model_utilities["label_data"],
            entity_tag_specs=model_utilities["entity_tag_specs"],
        )
        model._run_eagerly = False  # what compiling for training would have set
        # The first prediction builds the layers, so that weights can be read into them. It is then
        # compiled anew, for it holds the labels' vectors as constants.
        model.run_inference(predict_data_example)
        weights = model.load_weights(str(model_utilities["tf_model_file"]))
        weights.assert_existing_objects_matched()
        weights.expect_partial()  # the optimiser's are of no use here
        model._tf_predict_step = None
        model.prepared_for_prediction = False
        model.run_inference(predict_data_example)
        return model
