package dev.jformer.app.command;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.jformer.compress.Compression;
import dev.jformer.config.Configs;
import dev.jformer.ffn.ChannelMixer;
import dev.jformer.hub.Models;
import dev.jformer.mixer.TokenMixer;
import dev.jformer.model.Model;
import dev.jformer.nn.Norm;
import dev.jformer.nn.Projection;
import dev.jformer.position.Position;
import dev.jformer.tensor.Engine;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code jformer info}. */
@Command(
    name = "info",
    header = "Show parts, a model, or a recipe",
    description =
        """
        Without an argument: the engine, and all parts that models and recipes are made of. With
        the folder of a model: its configuration and parameters.
        """,
    footer =
        """
        Examples:
          jformer info
          jformer info runs/play
          jformer info --recipe shakespeare > my.json
        """)
final class InfoCommand implements Callable<Integer> {
  @Parameters(arity = "0..1", paramLabel = "MODEL", description = "The folder of a model.")
  private Path folder;

  @Option(
      names = "--recipe",
      paramLabel = "NAME|FILE",
      description = "Print this recipe with all its fields.")
  private String recipe;

  @Mixin private JsonOption json;

  @Override
  public Integer call() throws Exception {
    if (recipe != null) {
      System.out.print(Configs.toJson(Recipes.load(recipe, Map.of())));
    } else if (folder != null) {
      model();
    } else {
      installation();
    }
    return 0;
  }

  private void model() throws Exception {
    try (Model model = Models.load(Pretrained.find(folder))) {
      if (json.isSet()) {
        ObjectNode node = new JsonMapper().createObjectNode();
        node.set("config", Configs.write(model.config()));
        node.put("parameters", model.parameterCount());
        ObjectNode tensors = node.putObject("tensors");
        model.parameters().forEach((name, p) -> tensors.put(name, p.value().shape().toString()));
        System.out.println(node.toPrettyString());
        return;
      }
      System.out.println(model);
      System.out.print(Configs.toJson(model.config()));
      model
          .parameters()
          .forEach(
              (name, p) ->
                  System.out.printf(
                      Locale.ROOT,
                      "%-40s %-10s %s%n",
                      name,
                      p.value().dtype().name().toLowerCase(Locale.ROOT),
                      p.value().shape()));
    }
  }

  private void installation() {
    Map<String, Map<String, ?>> parts =
        Map.of(
            "model", Configs.parts(Model.Config.class),
            "position", Configs.parts(Position.Config.class),
            "mixer", Configs.parts(TokenMixer.Config.class),
            "ffn", Configs.parts(ChannelMixer.Config.class),
            "norm", Configs.parts(Norm.Config.class),
            "projection", Configs.parts(Projection.class),
            "compress", Configs.parts(Compression.class));
    if (json.isSet()) {
      ObjectNode node = new JsonMapper().createObjectNode();
      node.put("libtorch", Engine.version());
      node.put("blas", Engine.blas());
      node.put("threads", Engine.threads());
      ObjectNode kinds = node.putObject("parts");
      new java.util.TreeMap<>(parts)
          .forEach(
              (kind, known) -> {
                ObjectNode of = kinds.putObject(kind);
                known.forEach((name, config) -> of.set(name, Configs.write(config)));
              });
      System.out.println(node.toPrettyString());
      return;
    }
    System.out.printf(
        "libtorch %s, %s, %d threads, Java %s%n%n",
        Engine.version(), Engine.blas(), Engine.threads(), Runtime.version());
    System.out.println("Parts of models, with their defaults:");
    new java.util.TreeMap<>(parts)
        .forEach(
            (kind, known) -> {
              System.out.println("  " + kind);
              known.forEach((name, config) -> System.out.println("    " + Configs.write(config)));
            });
  }
}
