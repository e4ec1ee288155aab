import { render } from "preact";
render(<p>Eyebolt</p>, document.getElementById("app")!);
