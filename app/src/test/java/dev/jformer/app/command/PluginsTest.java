package dev.jformer.app.command;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Parts that users bring in jars and folders of classes. */
class PluginsTest {
  private static final String SOURCE =
      """
      package mine;

      import dev.jformer.nn.Layer;
      import dev.jformer.nn.Norm;

      public record LoudNorm(double epsilon) implements Norm.Config {
        public LoudNorm() {
          this(1e-3);
        }

        @Override
        public String type() {
          return "loud";
        }

        @Override
        public Layer build(int width) {
          return new Norm.RmsNormConfig(epsilon).build(width);
        }
      }
      """;
  private static final String SERVICE = "META-INF/services/dev.jformer.nn.Norm$Config";

  @TempDir Path folder;
  private Path classes;
  private Path plugins;

  @BeforeEach
  void compile() throws IOException {
    classes = Files.createDirectories(folder.resolve("classes"));
    Path source = folder.resolve("LoudNorm.java");
    Files.writeString(source, SOURCE);
    compile(source);
    Path service = classes.resolve(SERVICE);
    Files.createDirectories(service.getParent());
    Files.writeString(service, "mine.LoudNorm\n");
    plugins = Files.createDirectories(folder.resolve("plugins"));
    try (OutputStream file = Files.newOutputStream(plugins.resolve("mine.jar"));
        JarOutputStream jar = new JarOutputStream(file)) {
      for (String name : List.of("mine/LoudNorm.class", SERVICE)) {
        jar.putNextEntry(new JarEntry(name));
        jar.write(Files.readAllBytes(classes.resolve(name)));
      }
    }
  }

  private void compile(Path source) {
    int code =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                classes.toString(),
                source.toString());
    assertEquals(0, code);
  }

  private static Outcome train(Path text, Path run, String... more) {
    List<String> args = new ArrayList<>(List.of("train", "--data", text.toString(), "--quiet"));
    args.addAll(List.of("--recipe", "shakespeare", "--out", run.toString(), "--steps", "2"));
    for (String field : List.of("layers=1", "width=32", "length=32", "mixer.heads=2")) {
      args.addAll(List.of("--set", "model." + field));
    }
    args.addAll(List.of("--set", "model.norm.type=loud"));
    args.addAll(List.of("--set", "training.schedule.warmup=1"));
    args.addAll(List.of(more));
    return Outcome.of(args.toArray(String[]::new));
  }

  @Test
  void areUsedInModels() throws IOException {
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "All happy families are alike.\n".repeat(100));
    Path run = folder.resolve("run");
    Outcome trained = train(text, run, "--plugins", plugins.toString());
    assertEquals(0, trained.code(), trained.err());
    Outcome evaluated =
        Outcome.of("--plugins", classes.toString(), "eval", run.toString(), "--json");
    assertEquals(0, evaluated.code(), evaluated.err());
    Outcome without = train(text, folder.resolve("without"));
    assertEquals(1, without.code());
    assertTrue(without.err().contains("'loud', which is not known"), without.err());
  }

  @Test
  void areExplained() {
    for (Path place : List.of(plugins, classes, folder, plugins.resolve("mine.jar"))) {
      Outcome outcome = Outcome.of("info", "loud", "--plugins", place.toString());
      assertEquals(0, outcome.code(), outcome.err());
      assertTrue(outcome.out().contains("epsilon = 0.001"), outcome.out());
    }
    assertEquals(1, Outcome.of("info", "loud").code(), "parts are known for one command only");
  }

  @Test
  void mustBeThere() throws IOException {
    Outcome none = Outcome.of("info", "--plugins", folder.resolve("none").toString());
    assertEquals(1, none.code());
    assertTrue(none.err().contains("no such file or folder"), none.err());
    Path empty = Files.createDirectories(folder.resolve("empty"));
    Outcome nothing = Outcome.of("info", "--plugins", empty.toString());
    assertEquals(1, nothing.code());
    assertTrue(nothing.err().contains("expected a jar"), nothing.err());
    assertEquals(1, nothing.err().lines().count(), nothing.err());
  }

  /** Parts that cannot be loaded are named, and everything else works as without them. */
  @Test
  void areLeftOutWhereTheyAreFaulty() throws IOException {
    Path service = classes.resolve(SERVICE);
    byte[] tooNew = Files.readAllBytes(classes.resolve("mine/LoudNorm.class"));
    tooNew[7] = 99; // the version of a release of Java that is still to come
    Files.write(classes.resolve("mine/TooNew.class"), tooNew);
    Files.writeString(service, "mine.Missing\nmine.TooNew\njava.lang.String\nmine.LoudNorm\n");
    Outcome norms = Outcome.of("info", "norm", "--plugins", classes.toString());
    assertEquals(0, norms.code(), norms.err());
    assertTrue(norms.out().contains("loud") && norms.out().contains("rms"), norms.out());
    Path text = folder.resolve("text.txt");
    Files.writeString(text, "All happy families are alike.\n".repeat(100));
    Outcome trained = train(text, folder.resolve("run"), "--plugins", classes.toString());
    assertEquals(0, trained.code(), trained.err());
  }

  @Test
  void doNotReplaceOthersOfTheirName() throws IOException {
    Path source = folder.resolve("LoudNorm.java");
    Files.writeString(source, SOURCE.replace("\"loud\"", "\"rms\""));
    compile(source);
    Outcome norms = Outcome.of("info", "rms", "--plugins", classes.toString(), "--json");
    assertEquals(0, norms.code(), norms.err());
    assertTrue(norms.out().contains("1.0E-5") || norms.out().contains("1.0E-6"), norms.out());
  }
}
