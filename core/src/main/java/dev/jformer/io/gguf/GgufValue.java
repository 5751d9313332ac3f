package dev.jformer.io.gguf;

import dev.jformer.io.FormatException;
import java.nio.ByteBuffer;

/**
 * A value of the metadata, as its bytes in the file.
 *
 * @param element the kind of an array's elements; null for others
 * @param count the number of an array's elements; 1 for others
 * @param bytes those of the value, without an array's type and length
 */
record GgufValue(Kind kind, Kind element, int count, ByteBuffer bytes) {
  /** The kinds of values. */
  enum Kind {
    UINT8(0, 1),
    INT8(1, 1),
    UINT16(2, 2),
    INT16(3, 2),
    UINT32(4, 4),
    INT32(5, 4),
    FLOAT32(6, 4),
    BOOL(7, 1),
    STRING(8, 8),
    ARRAY(9, 12),
    UINT64(10, 8),
    INT64(11, 8),
    FLOAT64(12, 8);

    private final int id;
    private final int fewestBytes;

    Kind(int id, int fewestBytes) {
      this.id = id;
      this.fewestBytes = fewestBytes;
    }

    /** The kind's number in files. */
    int id() {
      return id;
    }

    /** The bytes of a number; the fewest that a string or an array takes. */
    int fewestBytes() {
      return fewestBytes;
    }

    boolean isInteger() {
      return this != BOOL && isNumber() && this != FLOAT32 && this != FLOAT64;
    }

    boolean isNumber() {
      return this != BOOL && this != STRING && this != ARRAY;
    }

    static Kind of(int id, String what) {
      for (Kind kind : values()) {
        if (kind.id == id) {
          return kind;
        }
      }
      throw new FormatException(
          what
              + " has the type "
              + Integer.toUnsignedString(id)
              + ": expected 0 to "
              + (values().length - 1));
    }
  }

  private Kind scalar() {
    return kind == Kind.ARRAY ? element : kind;
  }

  /** An integer, or a truth value as 0 or 1, at an index. */
  long integer(int index) {
    int at = index * scalar().fewestBytes();
    return switch (scalar()) {
      case UINT8 -> bytes.get(at) & 0xFFL;
      case INT8, BOOL -> bytes.get(at);
      case UINT16 -> bytes.getShort(at) & 0xFFFFL;
      case INT16 -> bytes.getShort(at);
      case UINT32 -> bytes.getInt(at) & 0xFFFFFFFFL;
      case INT32 -> bytes.getInt(at);
      case UINT64, INT64 -> bytes.getLong(at);
      default -> throw new IllegalStateException(scalar() + " is no integer");
    };
  }

  double number(int index) {
    int at = index * scalar().fewestBytes();
    return switch (scalar()) {
      case FLOAT32 -> bytes.getFloat(at);
      case FLOAT64 -> bytes.getDouble(at);
      default -> integer(index);
    };
  }

  /** Reads its bytes from the start. */
  HeaderCursor cursor() {
    return new HeaderCursor(bytes.duplicate().order(bytes.order()));
  }

  String text() {
    return cursor().string("a string");
  }

  /** The value for messages, on one line. */
  @Override
  public String toString() {
    return switch (kind) {
      case STRING -> FormatException.quote(text());
      case ARRAY -> "an array of " + count + " values";
      case BOOL -> integer(0) == 0 ? "false" : "true";
      case FLOAT32, FLOAT64 -> String.valueOf(number(0));
      case UINT64 -> Long.toUnsignedString(integer(0));
      default -> String.valueOf(integer(0));
    };
  }
}
