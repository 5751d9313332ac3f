package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.config.ConfigException;
import dev.jformer.io.FormatException;
import dev.jformer.model.vision.Framing;
import dev.jformer.model.vision.ImageModel;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.DType;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * How pictures become numbers, as the {@code preprocessor_config.json} of a Hugging Face model
 * says: how they are resized and cut, and the means and deviations of the channels, for pixels from
 * 0 to 1.
 */
record VitPixels(JsonNode config) {
  static final String FILE = "preprocessor_config.json";

  private static final double BYTE = 1 / 255.0;

  /** Pillow's numbers. */
  private static final Map<Integer, Framing.Filter> FILTERS =
      Map.of(1, Framing.Filter.LANCZOS, 2, Framing.Filter.BILINEAR, 3, Framing.Filter.BICUBIC);

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

  /**
   * How pictures are brought to the size of a model; if there is no file, squeezed, as transformers
   * does for a ViT.
   *
   * @param size the model's
   * @throws ConfigException if they are not brought to this size, or in a way that is not supported
   */
  Framing framing(int size) {
    Fields fields = new Fields(config);
    fields.supports("do_resize", fields.flag("do_resize", true), true);
    boolean cut = fields.flag("do_center_crop", false);
    if (cut) {
      expect("crop_size", side(config.path("crop_size"), size), size);
    }
    JsonNode given = config.path("size");
    boolean proportional = given.has("shortest_edge");
    int side = side(proportional ? given.get("shortest_edge") : given, size);
    if (cut) {
      if (side < size) {
        throw new ConfigException("size is " + side + ": expected at least crop_size " + size);
      }
    } else if (proportional) {
      throw new ConfigException(
          "size has a shortest_edge, but do_center_crop is false: pictures would not be square");
    } else {
      expect("size", side, size);
    }
    double resample = fields.number("resample", 2);
    Framing.Filter filter = FILTERS.get((int) resample);
    if (filter == null || (int) resample != resample) {
      throw new ConfigException(
          "resample is " + resample + ", which is not supported: only 1, 2 and 3 are");
    }
    return new Framing(filter, !proportional, side == size ? 0 : side);
  }

  private static void expect(String field, int given, int size) {
    if (given != size) {
      throw new ConfigException(
          field + " is " + given + ", but the model's images are of " + size + " pixels a side");
    }
  }

  /** A number of pixels, given alone or as height and width. */
  private static int side(JsonNode given, int otherwise) {
    if (given.isMissingNode() || given.isNull()) {
      return otherwise;
    }
    JsonNode height = given.isObject() ? given.path("height") : given;
    JsonNode width = given.isObject() ? given.path("width") : given;
    if (!height.canConvertToInt() || height.intValue() < 1 || !height.equals(width)) {
      throw new ConfigException(
          "a size is "
              + FormatException.oneLine(given.toString())
              + ": expected one number of pixels for height and width");
    }
    return height.intValue();
  }

  /** The file of a model. */
  static ObjectNode of(ImageModel model) {
    ObjectNode file = JsonNodeFactory.instance.objectNode();
    int size = model.config().size();
    Framing framing = model.config().framing();
    int side = framing.side() == 0 ? size : framing.side();
    boolean cuts = !framing.whole() || side != size;
    // Of the processors of transformers, these two and ViT's are read by all versions.
    String processor = framing.whole() ? (cuts ? "DeiT" : "ViT") : "CLIP";
    file.put("image_processor_type", processor + "ImageProcessor");
    file.put("do_resize", true).put("do_rescale", true).put("do_normalize", true);
    file.put("do_center_crop", cuts).put("rescale_factor", BYTE);
    file.put("resample", code(framing.filter()));
    if (framing.whole()) {
      file.putObject("size").put("height", side).put("width", side);
    } else {
      file.putObject("size").put("shortest_edge", side);
    }
    if (cuts) {
      file.putObject("crop_size").put("height", size).put("width", size);
    }
    Map<String, Parameter> parameters = model.parameters();
    put(file.putArray("image_mean"), parameters.get("pixels.mean"));
    put(file.putArray("image_std"), parameters.get("pixels.deviation"));
    return file;
  }

  /** Pillow's number of a filter; of the nearest one for halving, which it does not have. */
  private static int code(Framing.Filter filter) {
    return FILTERS.entrySet().stream()
        .filter(known -> known.getValue() == filter)
        .findFirst()
        .map(Map.Entry::getKey)
        .orElse(2);
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
