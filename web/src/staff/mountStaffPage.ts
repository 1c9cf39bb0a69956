/** Starts a staff page. Element Plus comes part by part: what a page does not use is not in its files. */
import { type Component, createApp } from "vue";
import "../styles/base.css";
import "element-plus/theme-chalk/base.css";
import "element-plus/theme-chalk/el-alert.css";
import "element-plus/theme-chalk/el-button.css";
import "element-plus/theme-chalk/el-dialog.css";
import "element-plus/theme-chalk/el-dropdown.css";
import "element-plus/theme-chalk/el-dropdown-item.css";
import "element-plus/theme-chalk/el-dropdown-menu.css";
import "element-plus/theme-chalk/el-form.css";
import "element-plus/theme-chalk/el-form-item.css";
import "element-plus/theme-chalk/el-icon.css";
import "element-plus/theme-chalk/el-input.css";
import "element-plus/theme-chalk/el-message.css";
import "element-plus/theme-chalk/el-overlay.css";
import "element-plus/theme-chalk/el-popper.css";
import "element-plus/theme-chalk/el-scrollbar.css";
import "../styles/staff.css";
import { createSession } from "../lib/staff/session";
import { SESSION } from "./useSession";

export function mountStaffPage(page: Component): void {
  createApp(page).provide(SESSION, createSession()).mount("#app");
}
