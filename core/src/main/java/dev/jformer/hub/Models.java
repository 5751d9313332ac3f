package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FormatException;
import dev.jformer.io.Weights;
import dev.jformer.model.CausalLm;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Scope;
import dev.jformer.tensor.Shape;
import dev.jformer.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeSet;

/** Loads and saves models. */
public final class Models {
  /** The file that holds a model's configuration. */
  public static final String CONFIG = "config.json";

  private Models() {}

  /**
   * Rebuilds a model from its folder: one of ours, or a Hugging Face one of GPT-2 or Llama.
   *
   * @throws ConfigException if the configuration is not one that we can build
   * @throws FormatException if the weights are damaged or belong to another configuration
   */
  public static Model load(Path folder) throws IOException {
    Path file = folder.resolve(CONFIG);
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    JsonNode config = Configs.tree(Files.readString(file));
    try (Scope scope = Scope.open()) {
      if (config.has("model_type")) {
        return HuggingFace.load(folder, config);
      }
      Model.Config ours = Configs.bind(config, Model.Config.class);
      try (Weights weights = Weights.open(folder)) {
        check(ours, weights, folder);
        Model model = ours.build();
        fill(model, weights, folder);
        model.train(false);
        return model;
      }
    } catch (ConfigException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
    }
  }

  /**
   * Compares sizes before any memory is set aside: a configuration may ask for more than there is.
   */
  private static void check(Model.Config config, Weights weights, Path folder) {
    if (config instanceof CausalLm.Config ours) {
      checkLayers(ours, weights, folder);
      String name = "embedding.weight";
      if (weights.names().contains(name)) {
        Shape wanted = Shape.of(ours.vocab(), ours.width());
        if (!weights.shape(name).equals(wanted)) {
          throw new FormatException(
              folder
                  + ": the tensor "
                  + name
                  + " is "
                  + weights.shape(name)
                  + ", but the configuration makes it "
                  + wanted);
        }
      }
    }
  }

  static void checkLayers(CausalLm.Config config, Weights weights, Path folder) {
    if (config.layers() > weights.names().size()) {
      throw new FormatException(
          folder
              + ": the configuration has "
              + config.layers()
              + " layers, but there are only "
              + weights.names().size()
              + " tensors");
    }
  }

  private static void fill(Model model, Weights weights, Path folder) {
    Map<String, Parameter> parameters = model.parameters();
    TreeSet<String> unknown = new TreeSet<>(weights.names());
    unknown.removeAll(parameters.keySet());
    if (!unknown.isEmpty()) {
      throw new FormatException(
          folder
              + ": the configuration has no place for the tensor "
              + unknown.first()
              + (unknown.size() > 1 ? " and " + (unknown.size() - 1) + " more" : ""));
    }
    parameters.forEach(
        (name, parameter) -> {
          if (!weights.names().contains(name)) {
            throw new FormatException(folder + ": the tensor " + name + " is missing");
          }
          if (!weights.shape(name).equals(parameter.value().shape())) {
            throw new FormatException(
                folder
                    + ": the tensor "
                    + name
                    + " is "
                    + weights.shape(name)
                    + ", but the configuration makes it "
                    + parameter.value().shape());
          }
          parameter.copyFrom(weights.tensor(name));
        });
  }

  /** Saves a model: configuration first, then weights, each file whole or not at all. */
  public static void save(Model model, Path folder) throws IOException {
    Files.createDirectories(folder);
    saveConfig(model.config(), folder);
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> tensors = new LinkedHashMap<>();
      model.parameters().forEach((name, p) -> tensors.put(name, p.value().detach()));
      Weights.save(folder, tensors, Map.of("format", "pt"));
    }
  }

  private static void saveConfig(Model.Config config, Path folder) throws IOException {
    byte[] json = Configs.toJson(config).getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(folder.resolve(CONFIG), json);
  }
}
