package dev.jformer.data.text;

import dev.jformer.data.DataException;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Reads the validation part of a token file in order. */
public final class HeldOut {
  private static final String NO_TEXT =
      "there is no text for validation: give more text, or hold out a larger share";

  private HeldOut() {}

  /**
   * Passes batches to {@code consumer} in which every token but the first is a target exactly once.
   * The last batches may be smaller and shorter.
   *
   * @param batch the most sequences in a batch
   * @param length the most tokens in a sequence
   * @param limit the most batches to pass
   * @throws DataException if that part has fewer than two tokens
   */
  public static void read(
      TokenFile file, int batch, int length, long limit, Consumer<Batch> consumer) {
    long targets = file.header().validationTokens() - 1;
    if (targets < 1) {
      throw new DataException(NO_TEXT);
    }
    Tensor tokens = file.validation();
    long start = 0;
    for (long given = 0; start < targets && given < limit; given++) {
      long left = targets - start;
      long rows = Math.max(1, Math.min(batch, left / length));
      long columns = Math.min(length, left);
      Tensor inputs = tokens.narrow(0, start, rows * columns).view(rows, columns);
      Tensor outputs = tokens.narrow(0, start + 1, rows * columns).view(rows, columns);
      consumer.accept(new Batch(inputs.to(DType.INT64), outputs.to(DType.INT64)));
      start += rows * columns;
    }
  }

  /**
   * As {@link #read}, in windows that overlap, so that all but the first targets have a context: a
   * window begins {@code stride} tokens after the one before it. Targets that an earlier window has
   * counted are -1; each counts exactly once. Where windows overlap, a batch is released when
   * {@code consumer} returns: together they would be many times as large as the text.
   *
   * @param stride tokens from one window's start to the next, 1 to {@code length}
   */
  public static void read(
      TokenFile file, int batch, int length, int stride, long limit, Consumer<Batch> consumer) {
    if (stride < 1 || stride > length) {
      throw new IllegalArgumentException(
          "stride is " + stride + ": expected 1 to the window, " + length);
    }
    long targets = file.header().validationTokens() - 1;
    if (stride == length || targets <= length) {
      read(file, batch, length, limit, consumer);
      return;
    }
    long counted = 0;
    for (long given = 0; counted < targets && given < limit; given++) {
      try (Scope scope = Scope.open()) {
        List<Tensor> inputs = new ArrayList<>();
        List<Tensor> outputs = new ArrayList<>();
        while (inputs.size() < batch && counted < targets) {
          long end = counted == 0 ? length : Math.min(targets, counted + stride);
          long start = end - length;
          Tensor window =
              file.validation().narrow(0, start, length + 1L).to(DType.INT64).toCurrentDevice();
          long before = counted - start; // of this window, these were counted
          Tensor known = Tensor.full(-1, DType.INT64, before);
          inputs.add(window.narrow(0, 0, length));
          outputs.add(Tensor.cat(0, known, window.narrow(0, before + 1, length - before)));
          counted = end;
        }
        consumer.accept(
            new Batch(
                Tensor.stack(0, inputs.toArray(Tensor[]::new)),
                Tensor.stack(0, outputs.toArray(Tensor[]::new))));
      }
    }
  }

  /**
   * Reads that part as streams, for models that carry a state: row i of a batch continues row i of
   * the batch before. The text is cut into as many equal pieces as there are streams; up to so many
   * of its last tokens are left out.
   *
   * @param streams the most streams; fewer for a text that is shorter than so many windows
   * @param window tokens of a stream in a batch; the last batch may have fewer
   * @param limit the most batches; a smaller part of the text is read then
   * @throws DataException if that part has fewer than two tokens
   */
  public static void streams(
      TokenFile file, int streams, int window, long limit, Consumer<Batch> consumer) {
    long targets = file.header().validationTokens() - 1;
    if (targets < 1) {
      throw new DataException(NO_TEXT);
    }
    long rows = Math.max(1, Math.min(streams, targets / window));
    long most = limit > targets / window ? Long.MAX_VALUE : limit * window;
    long columns = Math.min(targets / rows, most);
    Tensor tokens = file.validation();
    Tensor inputs = tokens.narrow(0, 0, rows * columns).view(rows, columns);
    Tensor outputs = tokens.narrow(0, 1, rows * columns).view(rows, columns);
    for (long from = 0; from < columns; from += window) {
      try (Scope scope = Scope.open()) {
        long width = Math.min(window, columns - from);
        consumer.accept(
            new Batch(
                inputs.narrow(1, from, width).to(DType.INT64),
                outputs.narrow(1, from, width).to(DType.INT64)));
      }
    }
  }
}
