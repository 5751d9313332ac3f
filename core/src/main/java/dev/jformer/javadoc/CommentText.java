package dev.jformer.javadoc;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Turns the text of a documentation comment, HTML with inline tags, into plain text or Markdown.
 */
final class CommentText {
  private static final Pattern LINK =
      Pattern.compile("<a\\s+href=\"([^\"]*)\"\\s*>(.*?)</a>", Pattern.DOTALL);
  private static final Pattern ELEMENT = Pattern.compile("</?(\\w+)[^>]*>");
  private static final Pattern SENTENCE = Pattern.compile("^.*?\\.(?=\\s|$)", Pattern.DOTALL);

  private final boolean markdown;

  /** Whether the text is that of an item of a list, which has one line. */
  private boolean item;

  private CommentText(boolean markdown) {
    this.markdown = markdown;
  }

  /** The text without any markup. */
  static String plain(String comment) {
    return new CommentText(false).convert(comment);
  }

  /** The text without any markup, on one line. */
  static String plainLine(String comment) {
    return line(plain(comment));
  }

  /** The text with links, code, emphasis and lists in Markdown's notation. */
  static String markdown(String comment) {
    return new CommentText(true).convert(comment);
  }

  /** The plain text up to the first full stop that a space follows, on one line. */
  static String firstSentence(String comment) {
    String paragraph = line(plain(comment).split("\n\n", 2)[0]);
    Matcher sentence = SENTENCE.matcher(paragraph);
    return sentence.find() ? sentence.group() : paragraph;
  }

  /** The links of the text, in order. */
  static List<PaperLink> links(String comment) {
    return LINK.matcher(comment)
        .results()
        .map(link -> new PaperLink(line(plain(link.group(2))), link.group(1)))
        .toList();
  }

  private static String line(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }

  private String convert(String comment) {
    StringBuilder text = new StringBuilder();
    int at = 0;
    while (at < comment.length()) {
      int next = nextMarkup(comment, at);
      String words = entities(comment.substring(at, next));
      text.append(item ? words.replaceAll("\\s+", " ") : words);
      if (next == comment.length()) {
        break;
      }
      at =
          comment.charAt(next) == '{'
              ? inlineTag(comment, next, text)
              : element(comment, next, text);
    }
    return text.toString()
        .replaceAll("[ \\t]*\n[ \\t]*(?=\n)", "\n")
        .replaceAll("\n{3,}", "\n\n")
        .strip();
  }

  private static int nextMarkup(String comment, int from) {
    for (int i = from; i < comment.length(); i++) {
      if (comment.charAt(i) == '<' || comment.startsWith("{@", i)) {
        return i;
      }
    }
    return comment.length();
  }

  /** Appends what the inline tag at an index stands for; returns where the text goes on. */
  private int inlineTag(String comment, int begin, StringBuilder text) {
    int end = begin;
    for (int depth = 0; end < comment.length(); end++) {
      depth += comment.charAt(end) == '{' ? 1 : comment.charAt(end) == '}' ? -1 : 0;
      if (depth == 0) {
        break;
      }
    }
    String[] tag =
        comment.substring(begin + 2, Math.min(end, comment.length())).strip().split("\\s+", 2);
    String body = tag.length > 1 ? tag[1] : "";
    switch (tag[0]) {
      case "code" -> text.append(body.contains("\n\n") ? body : code(body));
      case "link", "value" -> text.append(reference(body, true));
      case "linkplain" -> text.append(reference(body, false));
      default -> text.append(body);
    }
    return end + 1;
  }

  private String code(String body) {
    return markdown ? "`" + line(body) + "`" : body;
  }

  /** The label of a reference, or the name of what it leads to without packages. */
  private String reference(String body, boolean code) {
    String[] parts = body.split("\\s+", 2);
    if (parts.length > 1) {
      return code ? code(parts[1]) : parts[1];
    }
    String name = parts[0].replaceAll("(?:[a-z]\\w*\\.)+(?=[A-Z])", "");
    name = name.startsWith("#") ? name.substring(1) : name.replace('#', '.');
    return code ? code(name) : name;
  }

  /** Appends what the HTML element at an index stands for; returns where the text goes on. */
  private int element(String comment, int begin, StringBuilder text) {
    Matcher link = LINK.matcher(comment).region(begin, comment.length());
    if (link.lookingAt()) {
      String title = line(convert(link.group(2)));
      text.append(markdown ? "[" + title + "](" + link.group(1) + ")" : title);
      return link.end();
    }
    Matcher element = ELEMENT.matcher(comment).region(begin, comment.length());
    if (!element.lookingAt()) {
      text.append('<');
      return begin + 1;
    }
    boolean closing = comment.charAt(begin + 1) == '/';
    switch (element.group(1)) {
      case "p", "table" -> text.append("\n\n");
      case "ul", "ol" -> {
        item = false;
        text.append("\n\n");
      }
      case "li" -> text.append(closing ? "" : newItem(text));
      case "pre" -> {
        return preformatted(comment, element.end(), text);
      }
      case "em", "i" -> text.append(markdown ? "*" : "");
      case "b", "strong" -> text.append(markdown ? "**" : "");
      case "code" -> text.append(markdown ? "`" : "");
      case "sup" -> text.append(closing ? "" : "^");
      default -> {}
    }
    return element.end();
  }

  /** What begins an item of a list: an empty line before the first, none between items. */
  private String newItem(StringBuilder text) {
    text.setLength(text.toString().stripTrailing().length());
    String start = item ? "\n- " : "\n\n- ";
    item = true;
    return start;
  }

  /** Appends preformatted text, whose spaces and line breaks count; returns where text goes on. */
  private int preformatted(String comment, int begin, StringBuilder text) {
    int end = comment.indexOf("</pre>", begin);
    String lines = comment.substring(begin, end < 0 ? comment.length() : end);
    if (lines.strip().startsWith("{@code")) {
      lines = lines.strip().substring("{@code".length()).replaceAll("}$", "");
    }
    lines = entities(lines).replaceAll("^\\s*\n|\\s+$", "");
    text.append(markdown ? "\n\n```\n" + lines + "\n```\n\n" : "\n\n" + lines + "\n\n");
    return end < 0 ? comment.length() : end + "</pre>".length();
  }

  private static String entities(String text) {
    return text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&");
  }
}
