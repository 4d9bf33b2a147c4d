// The document as it is read: paragraphs, with marks where the key sentences are. Places come as bytes of UTF-8, as the worker counts.

export class DocumentView {
  constructor(article) {
    this.article = article;
  }

  show(text) {
    this.text = text;
    this.bytes = new TextEncoder().encode(text);
    this.decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    this.paragraphs = [];
    this.article.replaceChildren();
    for (const part of paragraphsOf(text)) {
      const node = document.createElement("p");
      node.textContent = text.slice(part.start, part.end);
      if (part.heading) node.className = "heading";
      this.article.append(node);
      this.paragraphs.push({ ...part, node, marks: [] });
    }
    this.article.scrollTop = 0;
  }

  // Marks a key sentence; returns its element, or null if it is not in the text.
  mark(sentence) {
    const start = this.place(sentence.at);
    const end = start + this.decoder.decode(this.bytes.subarray(sentence.at, sentence.at + sentence.size)).length;
    const paragraph = this.paragraphs.find((p) => start >= p.start && start < p.end);
    if (!paragraph) return null;
    paragraph.marks.push({ start, end: Math.min(end, paragraph.end), sentence });
    paragraph.marks.sort((a, b) => a.start - b.start);
    this.render(paragraph);
    return this.find(sentence.sentence);
  }

  find(number) {
    return this.article.querySelector(`mark[data-sentence="${number}"]`);
  }

  // Scrolls the article, not the page, so that the sentence stands in its upper third.
  reveal(number) {
    const mark = this.find(number);
    if (!mark) return;
    const top = mark.getBoundingClientRect().top - this.article.getBoundingClientRect().top + this.article.scrollTop;
    this.article.scrollTo({ top: top - this.article.clientHeight / 3, behavior: "smooth" });
    for (const other of this.article.querySelectorAll("mark.chosen")) other.classList.remove("chosen");
    mark.classList.add("chosen");
  }

  place(byte) {
    return this.decoder.decode(this.bytes.subarray(0, byte)).length;
  }

  render(paragraph) {
    const nodes = [];
    let at = paragraph.start;
    for (const { start, end, sentence } of paragraph.marks) {
      nodes.push(this.text.slice(at, start));
      const mark = document.createElement("mark");
      mark.dataset.sentence = sentence.sentence;
      mark.dataset.weight = sentence.rank > 0.85 ? "high" : sentence.rank > 0.6 ? "middle" : "low";
      mark.textContent = this.text.slice(start, end);
      nodes.push(mark);
      at = end;
    }
    nodes.push(this.text.slice(at, paragraph.end));
    paragraph.node.replaceChildren(...nodes);
  }
}

// Blank lines part paragraphs. A short line without an end mark reads as a heading.
function paragraphsOf(text) {
  const parts = [];
  for (const match of text.matchAll(/[^\s](?:[^\n]|\n(?![ \t\r]*\n))*/g)) {
    const body = match[0];
    const heading = body.length < 90 && !body.includes("\n") && (/[\p{L}\d]$/u.test(body.trim()) || /^CHAPTER \d/.test(body));
    parts.push({ start: match.index, end: match.index + body.length, heading });
  }
  return parts;
}
