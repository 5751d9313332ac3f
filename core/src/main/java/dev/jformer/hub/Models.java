package dev.jformer.hub;

import com.fasterxml.jackson.databind.JsonNode;
import dev.jformer.config.ConfigException;
import dev.jformer.config.Configs;
import dev.jformer.io.AtomicFile;
import dev.jformer.io.FormatException;
import dev.jformer.io.Weights;
import dev.jformer.model.Model;
import dev.jformer.nn.Parameter;
import dev.jformer.tensor.Scope;
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
   * Rebuilds a model from its folder.
   *
   * @throws ConfigException if the configuration is not one of ours
   * @throws FormatException if the weights are damaged or belong to another configuration
   */
  public static Model load(Path folder) throws IOException {
    Path file = folder.resolve(CONFIG);
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString());
    }
    JsonNode config = Configs.tree(Files.readString(file));
    try (Scope scope = Scope.open()) {
      Model model = Configs.bind(config, Model.Config.class).build();
      try (Weights weights = Weights.open(folder)) {
        fill(model, weights, folder);
      }
      model.train(false);
      return model;
    } catch (ConfigException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
    } catch (IllegalArgumentException e) {
      throw new ConfigException(file + ": " + e.getMessage(), e);
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
