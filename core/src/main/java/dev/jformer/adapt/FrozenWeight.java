package dev.jformer.adapt;

import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.nn.quantized.BlockWeight;
import dev.jformer.nn.quantized.QuantizedWeight;
import dev.jformer.nn.shift.ShiftWeight;
import dev.jformer.tensor.Tensor;

/**
 * The weight of a linear layer that an adapter is trained beside: of floats, or of 8 or 4 bits as
 * in <a href="https://arxiv.org/abs/2305.14314">QLoRA: Efficient Finetuning of Quantized LLMs</a>.
 *
 * @param layer a layer that {@link #canAdapt}
 */
record FrozenWeight(Layer layer) {
  /** Whether adapters can be attached to a module. */
  static boolean canAdapt(dev.jformer.nn.Module module) {
    return module instanceof Linear
        || (module instanceof QuantizedWeight
            && module instanceof Layer
            && !(module instanceof TokenEmbedding)
            && !(module instanceof ShiftWeight));
  }

  static FrozenWeight of(Layer layer) {
    return new FrozenWeight(layer);
  }

  /** Whether the weight is of floats, so that it can be changed. */
  boolean isPlain() {
    return layer instanceof Linear;
  }

  /** The matrix [out, in] of floats; for few bits it is computed at each call. */
  Tensor matrix() {
    return layer instanceof Linear linear
        ? linear.weight().value().detach()
        : ((QuantizedWeight) layer).dequantized();
  }

  /** The bias [out]; null if there is none. */
  Tensor bias() {
    Parameter bias = layer.parameters().get("bias");
    return bias == null ? null : bias.value().detach();
  }

  /** The number of outputs. */
  long rows() {
    return layer instanceof BlockWeight blocks
        ? blocks.shape().size(0)
        : layer.parameters().get("weight").value().size(0);
  }

  /** The number of inputs. */
  long width() {
    if (layer instanceof Linear linear) {
      return linear.weight().value().size(1);
    }
    return layer instanceof BlockWeight blocks
        ? blocks.shape().size(1)
        : ((QuantizedWeight) layer).dequantized().size(1);
  }
}
