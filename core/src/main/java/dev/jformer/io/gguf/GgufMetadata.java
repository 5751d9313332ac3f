package dev.jformer.io.gguf;

import dev.jformer.io.FormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The metadata of a GGUF file: values by key, such as {@code llama.block_count}. A value that is
 * read as what it is not is refused with its key. Arrays are decoded when they are asked for.
 */
public final class GgufMetadata {
  /** The fewest bytes that an entry takes: an empty key, a type and one byte. */
  static final int FEWEST_BYTES = 8 + 4 + 1;

  private static final int MOST_LEVELS = 4;
  private static final int LARGEST_SIZE = 1 << 24;

  private final Path file;
  private final Map<String, GgufValue> values;

  private GgufMetadata(Path file, Map<String, GgufValue> values) {
    this.file = file;
    this.values = Collections.unmodifiableMap(values);
  }

  static GgufMetadata read(Path file, HeaderCursor in, int count) {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      String key = in.string("the key of metadata " + i);
      GgufValue value = value(in, "metadata " + FormatException.quote(key));
      if (values.put(key, value) != null) {
        throw new FormatException("metadata " + FormatException.quote(key) + " stands twice");
      }
    }
    return new GgufMetadata(file, values);
  }

  private static GgufValue value(HeaderCursor in, String what) {
    GgufValue.Kind kind = GgufValue.Kind.of(in.int32(what), what);
    GgufValue.Kind element = null;
    int count = 1;
    int start = in.position();
    if (kind == GgufValue.Kind.ARRAY) {
      element = GgufValue.Kind.of(in.int32(what), what);
      start = in.position() + Long.BYTES;
      count = elements(in, element, what, 1);
    } else {
      skip(in, kind, what);
    }
    return new GgufValue(kind, element, count, in.since(start));
  }

  /** Moves past the elements of an array; their number. */
  private static int elements(HeaderCursor in, GgufValue.Kind element, String what, int level) {
    if (level > MOST_LEVELS) {
      throw new FormatException(what + " has more than " + MOST_LEVELS + " levels of arrays");
    }
    int count = in.count("the number of elements of " + what, element.fewestBytes());
    if (element == GgufValue.Kind.ARRAY) {
      for (int i = 0; i < count; i++) {
        elements(in, GgufValue.Kind.of(in.int32(what), what), what, level + 1);
      }
    } else if (element == GgufValue.Kind.STRING) {
      for (int i = 0; i < count; i++) {
        in.skipString(what);
      }
    } else {
      in.skip(count * element.fewestBytes());
    }
    return count;
  }

  private static void skip(HeaderCursor in, GgufValue.Kind kind, String what) {
    if (kind == GgufValue.Kind.STRING) {
      in.skipString(what);
    } else {
      in.need(kind.fewestBytes(), what);
      in.skip(kind.fewestBytes());
    }
  }

  /** The file that holds it. */
  public Path file() {
    return file;
  }

  /** The keys in the order of the file. */
  public Set<String> keys() {
    return values.keySet();
  }

  /** Whether there is a value of this key. */
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /**
   * A string that must be given.
   *
   * @throws FormatException if it is missing or no string
   */
  public String text(String key) {
    GgufValue value = given(key);
    if (value.kind() != GgufValue.Kind.STRING) {
      throw wrong(key, "a string");
    }
    return value.text();
  }

  /** A string with a default. */
  public String text(String key, String fallback) {
    return has(key) ? text(key) : fallback;
  }

  /**
   * A size from 1 to 2<sup>24</sup> that must be given.
   *
   * @throws FormatException if it is missing or something else
   */
  public int size(String key) {
    return (int) integer(key, 1, LARGEST_SIZE);
  }

  /**
   * A size from 1 to a bound that must be given.
   *
   * @throws FormatException if it is missing or something else
   */
  public int sizeUpTo(String key, int most) {
    return (int) integer(key, 1, most);
  }

  /** A size with a default. */
  public int size(String key, int fallback) {
    return has(key) ? size(key) : fallback;
  }

  /** The id of a token; -1 if it is not given. */
  public int id(String key) {
    // Some files say that there is none by the largest number.
    return has(key) ? (int) integer(key, 0, 0xFFFFFFFFL) : -1;
  }

  private long integer(String key, long least, long most) {
    GgufValue value = given(key);
    if (!value.kind().isInteger()) {
      throw wrong(key, "an integer");
    }
    long number = value.integer(0);
    if (number < least || number > most) {
      throw wrong(key, "an integer from " + least + " to " + most);
    }
    return number;
  }

  /** A finite number with a default. */
  public double number(String key, double fallback) {
    if (!has(key)) {
      return fallback;
    }
    GgufValue value = given(key);
    double number = value.kind().isNumber() ? value.number(0) : Double.NaN;
    if (!Double.isFinite(number)) {
      throw wrong(key, "a finite number");
    }
    return number;
  }

  /** A truth value with a default. */
  public boolean flag(String key, boolean fallback) {
    if (!has(key)) {
      return fallback;
    }
    GgufValue value = given(key);
    if (value.kind() != GgufValue.Kind.BOOL) {
      throw wrong(key, "true or false");
    }
    return value.integer(0) != 0;
  }

  /**
   * An array of strings.
   *
   * @return empty if it is not given
   */
  public List<String> strings(String key) {
    GgufValue array = array(key, "an array of strings");
    if (array == null) {
      return List.of();
    }
    if (array.element() != GgufValue.Kind.STRING) {
      throw wrong(key, "an array of strings");
    }
    HeaderCursor in = array.cursor();
    List<String> strings = new ArrayList<>();
    for (int i = 0; i < array.count(); i++) {
      strings.add(in.string(key));
    }
    return strings;
  }

  /**
   * An array of integers.
   *
   * @return empty if it is not given
   */
  public int[] integers(String key) {
    GgufValue array = array(key, "an array of integers");
    if (array != null && !array.element().isInteger()) {
      throw wrong(key, "an array of integers");
    }
    int[] numbers = new int[array == null ? 0 : array.count()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (int) array.integer(i);
    }
    return numbers;
  }

  /**
   * An array of numbers.
   *
   * @return empty if it is not given
   */
  public float[] numbers(String key) {
    GgufValue array = array(key, "an array of numbers");
    if (array != null && !array.element().isNumber()) {
      throw wrong(key, "an array of numbers");
    }
    float[] numbers = new float[array == null ? 0 : array.count()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) array.number(i);
    }
    return numbers;
  }

  private GgufValue array(String key, String expected) {
    GgufValue value = values.get(key);
    if (value != null && value.kind() != GgufValue.Kind.ARRAY) {
      throw wrong(key, expected);
    }
    return value;
  }

  private GgufValue given(String key) {
    GgufValue value = values.get(key);
    if (value == null) {
      throw new FormatException(file + ": the metadata " + key + " is missing");
    }
    return value;
  }

  private FormatException wrong(String key, String expected) {
    return new FormatException(
        file + ": " + key + " is " + values.get(key) + ": expected " + expected);
  }
}
