package dev.jformer.compress;

import com.google.auto.service.AutoService;
import dev.jformer.model.Model;
import dev.jformer.nn.Int8Linear;

/**
 * LLM.int8() (arXiv 2208.07339): the linear layers of a model, and its table of words, in 8 bits;
 * see {@link Int8Linear}. It needs no data.
 *
 * @param threshold absolute value from which a feature is an outlier; 0 for no decomposition
 */
@AutoService(Surgery.class)
public record LlmInt8(double threshold) implements Surgery {
  /** The paper's threshold. */
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
  public Model operate(Model model, Calibration calibration) {
    return Exchange.rounded(model, new Int8Linear.Config(threshold));
  }
}
