/**
 * What a study found, for people: one self-contained HTML file, the same as Markdown with SVG
 * figures, and plain text for the terminal. The figures are drawn here because they must follow the
 * reader's dark mode, and need neither fonts nor a display where they are made.
 */
package dev.jformer.studies.report;
