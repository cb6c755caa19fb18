// Tables as files, for whoever wants to go on elsewhere.
export type Cell = string | number | null | undefined;

export function csv(name: string, head: string[], rows: Cell[][]): void {
  const cell = (value: Cell): string => {
    let text = value === null || value === undefined ? "" : String(value);
    // What a spreadsheet would take for a formula stays text.
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [head, ...rows].map((row) => row.map(cell).join(","));
  save(`${name}.csv`, "text/csv", `${lines.join("\n")}\n`);
}

export function save(name: string, kind: string, text: string): void {
  const file = URL.createObjectURL(new Blob([text], { type: kind }));
  const link = document.createElement("a");
  link.href = file;
  link.download = name;
  link.click();
  URL.revokeObjectURL(file);
}
