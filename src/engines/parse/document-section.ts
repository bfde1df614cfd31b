/** A part of a document as Markdown. */
export type DocumentSection = {
  readonly content: string;
  /** Counted from 1, where the document has pages, slides or sheets. */
  readonly page?: number;
};

export type DocumentReading = {
  readonly sections: readonly DocumentSection[];
  /** Pages that were read: of a PDF its pages, of others their slides, sheets or page breaks. */
  readonly pages: number;
  readonly title?: string;
};
