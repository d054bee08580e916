"""The colours that figures are drawn and saved in: those of the light theme."""

INK, YES, NO, DIM = "#1b1b1b", "#00589b", "#a33a00", "#5a5a5a"
