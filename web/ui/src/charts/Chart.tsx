/* A chart's frame: as wide as there is room, in the theme's colours, with its own file to take away.
 * Charts draw with presentation attributes only, so that the file needs no style sheet. */
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { DARK, LIGHT, type Palette } from "../drawing/palette";
import { useMedia, useWidth } from "../parts/hooks";
import { SaveChart } from "./SaveChart";

interface Props {
  /* of the file */
  name: string;
  children: (width: number, palette: Palette) => ComponentChildren;
}

export function usePalette(): Palette {
  return useMedia("(prefers-color-scheme: dark)") ? DARK : LIGHT;
}

export function Chart({ name, children }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const palette = usePalette();
  return (
    <div class="chart">
      <div ref={frame} class="chart-frame">
        {width > 0 && children(width, palette)}
      </div>
      <SaveChart frame={frame} name={name} background={palette.surface} />
    </div>
  );
}
