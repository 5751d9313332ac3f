package dev.jformer.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.util.ByteBufferBackedInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;

/**
 * Reads untrusted JSON as a stream: invalid UTF-8, duplicate keys, deep nesting, values of the
 * wrong kind and anything after the end are refused with a {@link FormatException}.
 */
final class StrictJson {
  /** The reference implementation's limit for headers, in bytes. */
  static final int LONGEST = 100_000_000;

  private static final int DEEPEST = 16;

  // Canonical names would fill a table that all parsers share with names from untrusted files.
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(DEEPEST).build())
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .build();

  /** Reads the value of one key; the parser is at that value. */
  interface Field {
    void read(String key) throws IOException;
  }

  /** Reads one document; the parser is at its first value. */
  interface Document<R> {
    R read(StrictJson json) throws IOException;
  }

  private final JsonParser parser;

  private StrictJson(JsonParser parser) {
    this.parser = parser;
  }

  /**
   * Reads a whole document.
   *
   * @param what the document's name in messages
   */
  static <R> R read(ByteBuffer utf8, String what, Document<R> document) {
    if (!utf8.hasRemaining() || utf8.get(utf8.position()) != '{') {
      throw new FormatException(what + " is not a JSON object: expected '{', found " + first(utf8));
    }
    try (InputStreamReader text =
            new InputStreamReader(
                new ByteBufferBackedInputStream(utf8), StandardCharsets.UTF_8.newDecoder());
        JsonParser parser = FACTORY.createParser(text)) {
      parser.nextToken();
      R result = document.read(new StrictJson(parser));
      if (parser.nextToken() != null) {
        throw new FormatException(what + " has more content after its closing brace");
      }
      return result;
    } catch (CharacterCodingException e) {
      throw new FormatException(what + " is not valid UTF-8", e);
    } catch (JsonProcessingException e) {
      String reason = FormatException.oneLine(e.getOriginalMessage());
      throw new FormatException(what + " is not valid JSON: " + reason, e);
    } catch (IOException e) {
      throw new FormatException(what + " cannot be read: " + e, e);
    }
  }

  private static String first(ByteBuffer utf8) {
    return utf8.hasRemaining()
        ? String.format("byte 0x%02x", utf8.get(utf8.position()))
        : "nothing";
  }

  /** Reads an object, key by key. */
  void object(String what, Field field) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw unexpected(what, "an object");
    }
    Set<String> seen = new HashSet<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String key = wellFormed(what, parser.currentName());
      if (!seen.add(key)) {
        throw new FormatException(what + " has the key " + FormatException.quote(key) + " twice");
      }
      parser.nextToken();
      field.read(key);
    }
  }

  /** Reads a string. */
  String string(String what) throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_STRING) {
      throw unexpected(what, "a string");
    }
    return wellFormed(what, parser.getText());
  }

  /** Reads an array of integers from 0 to 2^63 - 1. */
  long[] sizes(String what, int most) throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw unexpected(what, "an array of integers");
    }
    long[] sizes = new long[most];
    int count = 0;
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (count == most) {
        throw new FormatException(what + " has more than " + most + " numbers");
      }
      sizes[count++] = size(what);
    }
    return Arrays.copyOf(sizes, count);
  }

  private long size(String what) throws IOException {
    boolean fits =
        parser.currentToken() == JsonToken.VALUE_NUMBER_INT
            && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER
            && parser.getLongValue() >= 0;
    if (!fits) {
      throw unexpected(what, "integers from 0 to 2^63 - 1");
    }
    return parser.getLongValue();
  }

  /** Skips a value. */
  void skip() throws IOException {
    parser.skipChildren();
  }

  private FormatException unexpected(String what, String expected) throws IOException {
    return new FormatException(
        what
            + " holds "
            + FormatException.oneLine(String.valueOf(parser.getText()))
            + ": expected "
            + expected);
  }

  private static String wellFormed(String what, String text) {
    if (!isUnicode(text)) {
      throw new FormatException(
          what + " holds half a surrogate pair in " + FormatException.quote(text));
    }
    return text;
  }

  /** Whether text can be written as UTF-8: no half surrogate pairs. */
  static boolean isUnicode(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }
}
