import { render } from "preact";
import { App } from "./App";
import { LOCALE } from "./say";
import "./style/base.css";
import "./style/shell.css";
import "./style/parts.css";
import "./style/report.css";
import "./style/sites.css";
import "./style/journeys.css";
import "./style/editor.css";
import "./style/people.css";
import "./style/health.css";

document.documentElement.lang = LOCALE;
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
