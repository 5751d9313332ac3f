package dev.jformer.studies.report;

/**
 * A text at the end of a report whose lines are kept as they are, such as a configuration.
 *
 * @param title of the text
 * @param text lines of any length
 */
public record Appendix(String title, String text) {}
