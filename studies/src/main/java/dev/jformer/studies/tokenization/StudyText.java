package dev.jformer.studies.tokenization;

import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.nio.charset.StandardCharsets;

/** The text of a study, which is kept as bytes. */
final class StudyText {
  private StudyText() {}

  /**
   * The first bytes as text.
   *
   * @param bytes [n]
   * @param most the most bytes
   */
  static String of(Tensor bytes, long most) {
    long count = Math.min(most, bytes.elements());
    long[] values = bytes.narrow(0, 0, count).to(DType.INT64).toLongs();
    byte[] utf8 = new byte[values.length];
    for (int i = 0; i < utf8.length; i++) {
      utf8[i] = (byte) values[i];
    }
    return new String(utf8, StandardCharsets.UTF_8);
  }
}
