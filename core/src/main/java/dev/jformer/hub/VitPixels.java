package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * How pixels become numbers, as the {@code preprocessor_config.json} of a Hugging Face model says:
 * the means and deviations of the channels, for pixels from 0 to 1.
 */
record VitPixels(JsonNode config) {
  static final String FILE = "preprocessor_config.json";

  private static final double BYTE = 1 / 255.0;

  static VitPixels read(Path folder) throws IOException {
    return new VitPixels(SideFiles.read(folder.resolve(FILE)));
  }

  /**
   * Sets the means and deviations of a model; 0.5 if there is no file, as transformers takes them
   * for a ViT.
   *
   * @throws ConfigException if pixels are prepared in a way that is not supported
   */
  void apply(ImageModel model) {
    Fields fields = new Fields(config);
    fields.supports("do_rescale", fields.flag("do_rescale", true), true);
    double factor = fields.number("rescale_factor", BYTE);
    if (Math.abs(factor - BYTE) > 1e-6) {
      throw new ConfigException("rescale_factor is " + factor + ": only 1/255 is supported");
    }
    boolean normalized = fields.flag("do_normalize", true);
    model.standardise(
        channels("image_mean", normalized, 0, 0.5), channels("image_std", normalized, 1, 0.5));
  }

  /** The file of a model. */
  static ObjectNode of(ImageModel model) {
    ObjectNode file = JsonNodeFactory.instance.objectNode();
    file.put("image_processor_type", "ViTImageProcessor");
    file.put("do_resize", true).put("do_rescale", true).put("do_normalize", true);
    file.put("rescale_factor", BYTE).put("resample", 2);
    int size = model.config().size();
    file.putObject("size").put("height", size).put("width", size);
    Map<String, Parameter> parameters = model.parameters();
    put(file.putArray("image_mean"), parameters.get("pixels.mean"));
    put(file.putArray("image_std"), parameters.get("pixels.deviation"));
    return file;
  }

  private static void put(ArrayNode list, Parameter channels) {
    for (float value : channels.value().detach().toFloats()) {
      list.add(value);
    }
  }

  private Tensor channels(String name, boolean normalized, double none, double usual) {
    double[] values = new double[ImageModel.CHANNELS];
    Arrays.fill(values, normalized ? usual : none);
    JsonNode given = config.path(name);
    if (normalized && !given.isMissingNode() && !given.isNull()) {
      if (given.size() != values.length) {
        throw unexpected(name, given);
      }
      for (int i = 0; i < values.length; i++) {
        double value = given.get(i).asDouble(Double.NaN);
        if (!Double.isFinite(value) || (value == 0 && none == 1)) {
          throw unexpected(name, given);
        }
        values[i] = value;
      }
    }
    return Tensor.of(values, values.length).to(DType.FLOAT32);
  }

  private static ConfigException unexpected(String name, JsonNode given) {
    return new ConfigException(
        name
            + " is "
            + FormatException.oneLine(given.toString())
            + ": expected a number for each of the three channels");
  }
}
