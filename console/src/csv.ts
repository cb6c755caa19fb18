// Tables as files, for whoever wants to go on elsewhere.
type Cell = string | number | null | undefined;

export function csv(name: string, head: string[], rows: Cell[][]): void {
  const cell = (value: Cell): string => {
    let text = value === null || value === undefined ? "" : String(value);
    // What a spreadsheet would take for a formula stays text.
    if (typeof value === "string" && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [head, ...rows].map((row) => row.map(cell).join(","));
  const file = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = file;
  link.download = `${name}.csv`;
  link.click();
  URL.revokeObjectURL(file);
}
