// Whether the browser remembers uploads that are not finished: a page that has none does not load their code.

/** @type {[string, string[]]} name and values of the stored signal */
export const LEFT = ["uploads", ["none", "left"]];
