package dev.jformer.compress.quantize;

import com.google.auto.service.AutoService;
import dev.jformer.compress.CalibrationData;
import dev.jformer.compress.Compression;
import dev.jformer.compress.ModelRebuilder;
import dev.jformer.model.Model;
import dev.jformer.nn.quantized.Int8Linear;

/**
 * Quantizes the linear layers of a model and its token embedding to 8 bits, as in <a
 * href="https://arxiv.org/abs/2208.07339">LLM.int8(): 8-bit Matrix Multiplication for Transformers
 * at Scale</a>. See {@link Int8Linear}. It needs no data.
 *
 * @param threshold absolute value from which a feature is an outlier; 0 for no decomposition
 */
@AutoService(Compression.class)
public record LlmInt8(double threshold) implements Compression {
  /** Default: the paper's threshold. */
  public LlmInt8() {
    this(new Int8Linear.Config().threshold());
  }

  /** Checks the values. */
  public LlmInt8 {
    new Int8Linear.Config(threshold);
  }

  @Override
  public String type() {
    return "llm-int8";
  }

  @Override
  public Needs needs() {
    return Needs.NOTHING;
  }

  @Override
  public Model apply(Model model, CalibrationData calibration) {
    return ModelRebuilder.rounded(model, new Int8Linear.Config(threshold));
  }
}
