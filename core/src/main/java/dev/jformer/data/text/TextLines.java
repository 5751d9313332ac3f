package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPInputStream;

/**
 * Reads the lines of text files in UTF-8, plain or compressed by gzip. A line ends in LF or CRLF; a
 * lone CR is a character of the text, as for most tools that count lines.
 */
public final class TextLines {
  private static final int MAGIC = 0x8b1f;
  private static final int BUFFER = 1 << 14;

  /** What a text takes in memory besides its characters. */
  private static final int BYTES_A_TEXT = 56;

  private final String name;
  private final long mostBytes;
  private final List<String> lines = new ArrayList<>();
  private final StringBuilder line = new StringBuilder();
  private long bytes;

  private TextLines(String name, long mostBytes) {
    this.name = name;
    this.mostBytes = mostBytes;
  }

  /**
   * Reads a file.
   *
   * @throws DataException if it cannot be read, or does not fit into half of Java's memory
   */
  public static List<String> read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new DataException("no such text file: " + file);
    }
    try (InputStream in = open(file)) {
      return read(file.toString(), in);
    } catch (IOException e) {
      throw new DataException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /**
   * Reads a stream to its end.
   *
   * @param name of the stream, for messages
   * @throws DataException as {@link #read(Path)}
   */
  public static List<String> read(String name, InputStream in) throws IOException {
    return read(name, in, Runtime.getRuntime().maxMemory() / 2);
  }

  /** Like {@link #read(String, InputStream)}, with the most bytes of memory to fill. */
  static List<String> read(String name, InputStream in, long mostBytes) throws IOException {
    return new TextLines(name, mostBytes).all(in);
  }

  private static InputStream open(Path file) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file), BUFFER);
    in.mark(2);
    int first = in.read();
    int magic = first | in.read() << 8;
    in.reset();
    return magic == MAGIC ? new GZIPInputStream(in, BUFFER) : in;
  }

  private List<String> all(InputStream in) throws IOException {
    Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder());
    char[] buffer = new char[BUFFER];
    try {
      for (int count = reader.read(buffer); count >= 0; count = reader.read(buffer)) {
        add(buffer, count);
      }
    } catch (CharacterCodingException e) {
      throw new DataException(
          "%s is not valid UTF-8 in line %d or soon after: convert it, for example with iconv"
              .formatted(name, lines.size() + 1),
          e);
    }
    if (line.length() > 0) {
      endLine();
    }
    return List.copyOf(lines);
  }

  private void add(char[] text, int count) {
    for (int from = 0; from < count; ) {
      int to = from;
      while (to < count && text[to] != '\n') {
        to++;
      }
      line.append(text, from, to - from);
      // A line that has no end yet stands in memory twice while it grows.
      if (bytes + 4L * line.length() > mostBytes) {
        throw new DataException(
            ("%s does not fit into memory: line %d is reached with %,d MB of text; split the file, or"
                    + " give Java more memory, for example with JAVA_TOOL_OPTIONS=-Xmx8g")
                .formatted(name, lines.size() + 1, (bytes + line.length()) >> 20));
      }
      if (to < count) {
        endLine();
      }
      from = to + 1;
    }
  }

  private void endLine() {
    int end = line.length();
    if (end > 0 && line.charAt(end - 1) == '\r') {
      end--;
    }
    String text = line.substring(0, end);
    lines.add(text);
    bytes += BYTES_A_TEXT + (isLatin(text) ? text.length() : 2L * text.length());
    line.setLength(0);
  }

  private static boolean isLatin(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > 0xff) {
        return false;
      }
    }
    return true;
  }
}
