export default {
  extends: "stylelint-config-recommended",
  reportNeedlessDisables: true,
  // The files are ordered by component, not by specificity
  rules: { "no-descending-specificity": null },
};
