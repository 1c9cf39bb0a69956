import { mountStaffPage } from "../staff/mountStaffPage";
import OrdersPage from "./OrdersPage.vue";

mountStaffPage(OrdersPage);
