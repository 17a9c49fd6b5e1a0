/* How a figure went, without words: the figures beside it, and the trend behind it, say them. */
import { usePalette } from "./Chart";

const WIDTH = 120;
const HEIGHT = 30;

export function Sparkline({ points }: { points: number[] }) {
  const palette = usePalette();
  const most = Math.max(1, ...points);
  const x = (index: number) => (points.length < 2 ? 0 : (index / (points.length - 1)) * WIDTH);
  const y = (value: number) => HEIGHT - 2 - (Math.max(0, value) / most) * (HEIGHT - 4);
  const line = points.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`).join("L");
  return (
    <svg
      class="sparkline"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <path d={`M0,${HEIGHT}L${line}L${WIDTH},${HEIGHT}Z`} fill={palette.entry} />
      <path d={`M${line}`} fill="none" stroke={palette.reached} stroke-width="1.5" vector-effect="non-scaling-stroke" />
    </svg>
  );
}
