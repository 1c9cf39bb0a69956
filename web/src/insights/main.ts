import { mountStaffPage } from "../staff/mountStaffPage";
import InsightsPage from "./InsightsPage.vue";
import WallPage from "./WallPage.vue";

mountStaffPage(window.location.pathname === "/insights/wall" ? WallPage : InsightsPage);
