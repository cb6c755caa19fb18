import { mount } from "svelte";
import App from "./App.svelte";
import { begin } from "./session.svelte";
import "./style.css";

void begin();
mount(App, { target: document.getElementById("app")! });
