// The limits and intervals of ../limits.json, which the server puts into every page.

export const limits = Object.freeze(JSON.parse(document.body.dataset.limits));
