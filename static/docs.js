"use strict";

document.documentElement.classList.toggle(
  "dark-mode",
  matchMedia("(prefers-color-scheme: dark)").matches,
);

SwaggerUIBundle({
  dom_id: "#docs",
  url: "/api/schema/",
  deepLinking: true,
  // The shape of an answer in a line, to be opened, and no example of it.
  defaultModelRendering: "model",
  defaultModelExpandDepth: 0,
  defaultModelsExpandDepth: 0,
  // Its own is on another server.
  validatorUrl: null,
});
