package dev.jformer.adapt;

import dev.jformer.nn.Convolution2d;
import dev.jformer.nn.Layer;
import dev.jformer.nn.Linear;
import dev.jformer.nn.Parameter;
import dev.jformer.nn.TokenEmbedding;
import dev.jformer.nn.quantized.BlockWeight;
import dev.jformer.nn.quantized.QuantizedWeight;
import dev.jformer.nn.shift.ShiftWeight;
import dev.jformer.tensor.Functional;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;

/**
 * The weight of a layer that an adapter is trained beside: of floats, or of 8 or 4 bits as in <a
 * href="https://arxiv.org/abs/2305.14314">QLoRA: Efficient Finetuning of Quantized LLMs</a>. That
 * of a convolution is a matrix of the patches that it sees, [out, in · kernel²].
 *
 * @param layer a layer that {@link #canAdapt}
 */
record FrozenWeight(Layer layer) {
  /** Whether adapters can be attached to a module. */
  static boolean canAdapt(dev.jformer.nn.Module module) {
    return module instanceof Linear
        || module instanceof Convolution2d
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
    return layer instanceof Linear || layer instanceof Convolution2d;
  }

  /** The matrix [out, in] of floats; for few bits it is computed at each call. */
  Tensor matrix() {
    if (layer instanceof Convolution2d convolution) {
      return convolution.weight().value().detach().flatten(1, 3);
    }
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
    if (layer instanceof Convolution2d convolution) {
      return convolution.weight().value().elements() / rows();
    }
    return layer instanceof BlockWeight blocks
        ? blocks.shape().size(1)
        : ((QuantizedWeight) layer).dequantized().size(1);
  }

  /**
   * A matrix with the layer's inputs, [N, in], in the shape of its weight: [N, in, kernel, kernel]
   * for a convolution.
   */
  Tensor kernels(Tensor matrix) {
    if (layer instanceof Convolution2d convolution) {
      Shape shape = convolution.weight().value().shape();
      return matrix.view(matrix.size(0), shape.size(1), shape.size(2), shape.size(3));
    }
    return matrix;
  }

  /** A matrix [out, N] with the layer's outputs; for a convolution its kernels, [out, N, 1, 1]. */
  Tensor pixels(Tensor matrix) {
    return layer instanceof Convolution2d ? matrix.unsqueeze(2).unsqueeze(3) : matrix;
  }

  /** The inputs that the matrix is multiplied with, [N, in]: for a convolution all patches. */
  Tensor inputs(Tensor x) {
    if (layer instanceof Convolution2d convolution) {
      long kernel = convolution.weight().value().size(2);
      return Functional.unfold(x, kernel, convolution.stride(), convolution.padding())
          .transpose(1, 2)
          .reshape(-1, width());
    }
    return x.reshape(-1, x.size(-1));
  }
}
