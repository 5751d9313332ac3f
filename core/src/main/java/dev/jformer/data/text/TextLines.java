package dev.jformer.data.text;

import dev.jformer.data.DataException;
import java.io.BufferedInputStream;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;

/** Reads the lines of text files in UTF-8, plain or compressed by gzip. */
public final class TextLines {
  private static final int MAGIC = 0x8b1f;

  private TextLines() {}

  /**
   * Reads a file.
   *
   * @throws DataException if it cannot be read
   */
  public static List<String> read(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new DataException("no such text file: " + file);
    }
    try (InputStream in = open(file);
        BufferedReader reader =
            new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()))) {
      return reader.lines().toList();
    } catch (IOException | java.io.UncheckedIOException e) {
      Throwable cause = e instanceof java.io.UncheckedIOException ? e.getCause() : e;
      throw new DataException(
          cause instanceof CharacterCodingException
              ? file + " is not valid UTF-8: convert it, for example with iconv"
              : "cannot read " + file + ": " + cause.getMessage(),
          e);
    }
  }

  private static InputStream open(Path file) throws IOException {
    InputStream in = new BufferedInputStream(Files.newInputStream(file));
    in.mark(2);
    int first = in.read();
    int magic = first | in.read() << 8;
    in.reset();
    return magic == MAGIC ? new GZIPInputStream(in) : in;
  }
}
