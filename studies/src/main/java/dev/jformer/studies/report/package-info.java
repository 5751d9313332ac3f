/**
 * Reports of studies: one self-contained HTML file, Markdown with SVG figures, JSON, and plain text
 * for the terminal. Figures are drawn by this package so that they support dark mode, and need
 * neither fonts nor a display.
 */
package dev.jformer.studies.report;
