import { mountStaffPage } from "../staff/mountStaffPage";
import InsightsPage from "./InsightsPage.vue";

mountStaffPage(InsightsPage);
