/* A chart as a file: SVG as it stands, or PNG at twice its size. */
import { download, downloadBlob } from "../parts/download";

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
const PNG_SCALE = 2;
const SPACE_PX = 16;

/* The drawing alone: on its ground, with a margin, without links that lead nowhere from a file. */
export function svgText(svg: SVGSVGElement, background: string): { source: string; width: number; height: number } {
  const copy = svg.cloneNode(true) as SVGSVGElement;
  const width = svg.width.baseVal.value + 2 * SPACE_PX;
  const height = svg.height.baseVal.value + 2 * SPACE_PX;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  copy.setAttribute("viewBox", `${-SPACE_PX} ${-SPACE_PX} ${width} ${height}`);
  copy.setAttribute("font-family", FONT);
  for (const link of copy.querySelectorAll("a")) link.removeAttribute("href");
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ x: -SPACE_PX, y: -SPACE_PX, width, height, fill: background }))
    ground.setAttribute(name, String(value));
  copy.prepend(ground);
  return { source: new XMLSerializer().serializeToString(copy), width, height };
}

export function saveSvg(svg: SVGSVGElement, name: string, background: string): void {
  download(`${name}.svg`, svgText(svg, background).source, "image/svg+xml");
}

/* By way of a data: address, which the page's policy allows images from. */
export async function savePng(svg: SVGSVGElement, name: string, background: string): Promise<void> {
  const { source, width, height } = svgText(svg, background);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(source)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = Math.ceil(width * PNG_SCALE);
  canvas.height = Math.ceil(height * PNG_SCALE);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("no canvas");
  context.scale(PNG_SCALE, PNG_SCALE);
  context.drawImage(image, 0, 0, width, height);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (blob === null) throw new Error("no picture");
  downloadBlob(`${name}.png`, blob);
}
