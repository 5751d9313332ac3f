package dev.jformer.io.gguf;

import dev.jformer.io.FormatException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * Reads the numbers and strings of a header in order. Each length is compared with what is left of
 * the file before anything is read or allocated.
 */
final class HeaderCursor {
  private final ByteBuffer in;

  HeaderCursor(ByteBuffer in) {
    this.in = in;
  }

  int position() {
    return in.position();
  }

  int int32(String what) {
    need(Integer.BYTES, what);
    return in.getInt();
  }

  long int64(String what) {
    need(Long.BYTES, what);
    return in.getLong();
  }

  /**
   * A number of things that follow.
   *
   * @param bytes the fewest bytes that each takes
   * @throws FormatException if the file is too short for them
   */
  int count(String what, int bytes) {
    long count = int64(what);
    if (count < 0 || count > in.remaining() / bytes) { // 2^63 or more reads as negative
      throw new FormatException(
          what
              + " reads as "
              + Long.toUnsignedString(count)
              + ", but only "
              + in.remaining()
              + " bytes of header can follow: the file is truncated or damaged");
    }
    return (int) count;
  }

  String string(String what) {
    int length = count("the length of " + what, 1);
    byte[] bytes = new byte[length];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  void skipString(String what) {
    int length = count("the length of " + what, 1);
    in.position(in.position() + length);
  }

  /** Moves past bytes, which {@link #count} has found to be there. */
  void skip(int bytes) {
    in.position(in.position() + bytes);
  }

  /** The bytes from a place up to here. */
  ByteBuffer since(int start) {
    return in.slice(start, in.position() - start).order(in.order());
  }

  void need(int bytes, String what) {
    if (in.remaining() < bytes) {
      throw new FormatException("the file ends in " + what);
    }
  }
}
