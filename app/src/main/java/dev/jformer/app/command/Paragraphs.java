package dev.jformer.app.command;

import java.util.ArrayList;
import java.util.List;

/**
 * Wraps the text of a command's help to a width, in three ways by how a line is indented:
 *
 * <ul>
 *   <li>Lines without indentation are a paragraph, which an empty line ends; it is wrapped.
 *   <li>Lines indented by two spaces are commands. They stay as they are, and so does the line
 *       after one that ends with a backslash.
 *   <li>Lines indented further explain the command above; each is wrapped with its indentation.
 * </ul>
 */
final class Paragraphs {
  private static final String COMMAND = "  ";

  private final int width;
  private final StringBuilder text = new StringBuilder();
  private final List<String> words = new ArrayList<>();

  private Paragraphs(int width) {
    this.width = width;
  }

  /**
   * The text in lines of at most this many characters, commands aside; each ends with a newline.
   */
  static String wrap(String text, int width) {
    Paragraphs paragraphs = new Paragraphs(width);
    boolean continued = false;
    for (String line : text.stripTrailing().lines().toList()) {
      paragraphs.add(line, continued);
      continued = isCommand(line, continued) && line.endsWith("\\");
    }
    paragraphs.end("");
    return paragraphs.text.toString();
  }

  private static boolean isCommand(String line, boolean continued) {
    return continued
        || (line.startsWith(COMMAND) && !line.isBlank() && line.charAt(COMMAND.length()) != ' ');
  }

  private void add(String line, boolean continued) {
    if (line.isBlank()) {
      end("");
      text.append('\n');
    } else if (isCommand(line, continued)) {
      end("");
      text.append(line).append('\n');
    } else if (line.startsWith(COMMAND)) {
      end("");
      words.addAll(List.of(line.strip().split(" +")));
      end(" ".repeat(line.length() - line.stripLeading().length()));
    } else {
      words.addAll(List.of(line.strip().split(" +")));
    }
  }

  /** Writes the words collected so far as lines with this indentation. */
  private void end(String indent) {
    StringBuilder line = new StringBuilder();
    for (String word : words) {
      if (line.length() > 0 && indent.length() + line.length() + 1 + word.length() > width) {
        text.append(indent).append(line).append('\n');
        line.setLength(0);
      }
      line.append(line.length() == 0 ? "" : " ").append(word);
    }
    if (line.length() > 0) {
      text.append(indent).append(line).append('\n');
    }
    words.clear();
  }
}
