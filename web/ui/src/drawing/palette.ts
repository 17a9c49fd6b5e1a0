/* The drawing's colours. They go into the SVG as presentation attributes, not through a style sheet,
 * so that a drawing that is saved or printed keeps them. */
export interface Palette {
  surface: string;
  ink: string;
  muted: string;
  reached: string;
  hatch: string;
  entry: string;
  onward: string;
  skip: string;
  other: string;
  lost: string;
  lostText: string;
  open: string;
  openText: string;
}

export const LIGHT: Palette = {
  surface: "#ffffff",
  ink: "#182033",
  muted: "#586278",
  reached: "#2f54d0",
  hatch: "#b86a0b",
  entry: "#dce4f9",
  onward: "#b4c3f2",
  skip: "#f1c78f",
  other: "#cfd4de",
  lost: "#f4d2d3",
  lostText: "#a12a2e",
  open: "#dfe3ea",
  openText: "#4c566a",
};

export const DARK: Palette = {
  surface: "#171c27",
  ink: "#e9edf5",
  muted: "#a3aec2",
  reached: "#7896ff",
  hatch: "#eba64f",
  entry: "#283355",
  onward: "#3b4f93",
  skip: "#7d5a2a",
  other: "#444c5c",
  lost: "#5b2d36",
  lostText: "#ff9f9c",
  open: "#3a4252",
  openText: "#b4bdcd",
};
