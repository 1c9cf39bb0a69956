import { mountStaffPage } from "../staff/mountStaffPage";
import DeskPage from "./DeskPage.vue";

mountStaffPage(DeskPage);
