package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.adapt.Adapters;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.config.RegularFile;
import dev.jformer.io.ConsistentRead;
import dev.jformer.io.FormatException;
import dev.jformer.io.MissingFile;
import dev.jformer.io.Weights;
import dev.jformer.io.gguf.GgufFile;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Loads and saves models in folders, and loads those of Hugging Face, ONNX and GGUF. */
public final class Models {
  /** The file that holds a model's configuration. */
  public static final String CONFIG = "config.json";

  private static final long LONGEST_CONFIG = 16 << 20;

  private Models() {}

  /** The file that holds a model in ONNX's format, in a folder without a configuration. */
  public static final String ONNX = "model.onnx";

  /**
   * Loads a model: one of ours, a Hugging Face model of a family that is supported, a BERT in
   * ONNX's format, a Llama in a GGUF file, or what an adapter in a PEFT folder makes of one of
   * these.
   *
   * @param folder its folder, or an ONNX or GGUF file; an ONNX model needs its tokenizer in the
   *     same folder, a GGUF file holds it
   * @throws ConfigException if the configuration is not supported
   * @throws FormatException if the weights are damaged or belong to another configuration
   */
  public static Model load(Path folder) throws IOException {
    if (folder.toString().endsWith(".onnx")) {
      return OnnxBert.load(folder);
    }
    if (GgufFile.isNamed(folder) && !Files.isDirectory(folder)) {
      return Gguf.load(folder);
    }
    if (PeftFolder.exists(folder)) {
      return PeftFolder.load(folder);
    }
    Path file = folder.resolve(CONFIG);
    if (!Files.exists(file) && Files.exists(folder.resolve(ONNX))) {
      return OnnxBert.load(folder.resolve(ONNX));
    }
    List<String> names = new ArrayList<>(Weights.FILES);
    names.add(CONFIG);
    return ConsistentRead.of(folder, names, () -> loadFolder(folder, file));
  }

  private static Model loadFolder(Path folder, Path file) throws IOException {
    if (Files.isRegularFile(folder)) {
      throw new FormatException(
          folder
              + " is no model: expected a model's folder, or a file that ends in .gguf or .onnx");
    }
    if (!Files.exists(file)) {
      throw MissingFile.exception(Files.exists(folder) ? file : folder);
    }
    try (Scope scope = Scope.open()) {
      JsonNode config = Configs.tree(read(file));
      return config.has("model_type")
          ? HuggingFace.load(folder, config)
          : load(folder, Configs.bind(config, Model.Config.class));
    } catch (ConfigException | IllegalArgumentException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
    }
  }

  private static String read(Path file) throws IOException {
    long size = Files.size(RegularFile.check(file));
    if (size > LONGEST_CONFIG) {
      throw new ConfigException("has " + size + " bytes: expected at most " + LONGEST_CONFIG);
    }
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw new ConfigException("not valid UTF-8", e);
    }
  }

  private static Model load(Path folder, Model.Config config) throws IOException {
    try (Weights weights = Weights.open(folder)) {
      Blueprint blueprint = Blueprint.of(config, weights.names().size());
      List<WeightMap> maps =
          blueprint.parameters().keySet().stream().map(n -> WeightMap.same(n, n)).toList();
      return new Loader(folder, StoredWeights.of(weights))
          .load(config, blueprint, maps, name -> false);
    }
  }

  /**
   * Saves a model: its configuration and its weights. Even if saving is interrupted, a folder never
   * holds the configuration of one model and the weights of another.
   *
   * @throws ConfigException if the model does not match its configuration, because a module was
   *     replaced by one that the configuration does not describe
   * @throws IOException if it cannot be written; an earlier model is intact unless the new files
   *     were already being moved to their places
   */
  public static void save(Model model, Path folder) throws IOException {
    if (!Adapters.names(model).isEmpty()) {
      throw new ConfigException(
          "this model has adapters beside its weights and cannot be saved as a whole: save the"
              + " adapter, or merge it first");
    }
    Map<String, Parameter> parameters = model.parameters();
    Blueprint.of(model.config(), parameters.size()).check(model);
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      parameters.forEach((name, p) -> tensors.put(name, p.value().detach()));
      save(folder, tensors, Map.of(CONFIG, utf8(Configs.toJson(model.config()))));
    }
  }

  static void save(Path folder, Map<String, Tensor> tensors, Map<String, byte[]> companions)
      throws IOException {
    Map<String, String> metadata = Map.of("format", "pt");
    Weights.save(folder, tensors, metadata, companions, Weights.DEFAULT_SHARD_BYTES);
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
