package dev.jformer.javadoc;

/**
 * A link to a paper in a type's Javadoc.
 *
 * @param title the text of the link, the paper's title
 * @param url where it leads
 */
public record PaperLink(String title, String url) {}
