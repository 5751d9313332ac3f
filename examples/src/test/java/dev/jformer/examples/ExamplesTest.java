package dev.jformer.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.auto.service.processor.AutoServiceProcessor;
import dev.jformer.app.command.Commands;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.annotation.processing.Processor;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** The example projects compile, pass their own tests and do what their READMEs say. */
class ExamplesTest {
  private static final Path ATTENTION = Path.of("attention-variant");
  private static final Path QUICKSTART = Path.of("quickstart");

  @TempDir Path folder;

  /** Compiles Java files as the examples' own builds do, with the processor of @AutoService. */
  private static Path compile(Path sources, Path classes, String classPath) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    Files.createDirectories(classes);
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
        Stream<Path> all = Files.walk(sources)) {
      List<Path> java = all.filter(file -> file.toString().endsWith(".java")).toList();
      JavaCompiler.CompilationTask task =
          compiler.getTask(
              null,
              files,
              found,
              List.of("--release", "17", "-cp", classPath, "-d", classes.toString()),
              null,
              files.getJavaFileObjectsFromPaths(java));
      Processor processor = new AutoServiceProcessor();
      task.setProcessors(List.of(processor));
      assertTrue(task.call(), () -> found.getDiagnostics().toString());
    }
    return classes;
  }

  private static String classPath(Path... more) {
    List<String> all = new ArrayList<>();
    for (Path path : more) {
      all.add(path.toString());
    }
    all.add(System.getProperty("java.class.path"));
    return String.join(System.getProperty("path.separator"), all);
  }

  private Path variant() throws IOException {
    return compile(ATTENTION.resolve("src/main/java"), folder.resolve("variant"), classPath());
  }

  @Test
  void theAttentionVariantPassesItsTests() throws Exception {
    Path classes = variant();
    Path tests =
        compile(ATTENTION.resolve("src/test/java"), folder.resolve("tests"), classPath(classes));
    TestExecutionSummary summary = run(classes, tests, "com.example.cosine.CosineAttentionTest");
    assertEquals(
        List.of(),
        summary.getFailures().stream()
            .map(f -> f.getTestIdentifier().getDisplayName() + ": " + f.getException())
            .toList());
    assertEquals(7, summary.getTestsSucceededCount());
  }

  private static TestExecutionSummary run(Path classes, Path tests, String name) throws Exception {
    URL[] places = {classes.toUri().toURL(), tests.toUri().toURL()};
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try (URLClassLoader loader = new URLClassLoader(places, before)) {
      thread.setContextClassLoader(loader);
      LauncherDiscoveryRequest request =
          LauncherDiscoveryRequestBuilder.request()
              .selectors(DiscoverySelectors.selectClass(loader.loadClass(name)))
              .build();
      SummaryGeneratingListener listener = new SummaryGeneratingListener();
      Launcher launcher = LauncherFactory.create();
      launcher.execute(request, listener);
      return listener.getSummary();
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Test
  void theAttentionVariantIsAPartOnTheCommandLine() throws IOException {
    Path text = folder.resolve("input.txt");
    Files.writeString(text, "to be, or not to be, that is the question: ".repeat(100));
    Path run = folder.resolve("run");
    String plugins = variant().toString();
    command(
        "train --plugins "
            + plugins
            + " --set model.mixer=cosine --recipe shakespeare --quiet --set model.layers=1"
            + " --set model.width=32 --set model.length=32 --steps 2 --data "
            + text
            + " --out "
            + run);
    assertTrue(Files.readString(run.resolve("config.json")).contains("\"cosine\""));
    String written = command("generate --plugins " + plugins + " " + run + " --tokens 5");
    assertTrue(!written.isBlank());
  }

  /** What a command prints. */
  private static String command(String line) {
    PrintStream out = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      assertEquals(0, Commands.run(line.split(" ")), line);
    } finally {
      System.setOut(out);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }

  @Test
  void theQuickstartTrainsAndWrites() throws Exception {
    Path classes =
        compile(QUICKSTART.resolve("src/main/java"), folder.resolve("quickstart"), classPath());
    Path text = folder.resolve("input.txt");
    Files.writeString(text, "to be, or not to be, that is the question: ".repeat(100));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djformer.threads=1",
                "-cp",
                classPath(classes),
                "com.example.quickstart.Quickstart",
                text.toString(),
                folder.resolve("runs/first").toString(),
                "20")
            .redirectErrorStream(true)
            .start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), printed);
    assertTrue(printed.contains("held-out loss "), printed);
    assertTrue(printed.contains("The "), printed);
    assertTrue(Files.exists(folder.resolve("runs/first/model.safetensors")));
  }

  @Test
  void theProjectsNameTheVersionsInUse() throws IOException {
    String root = Files.readString(Path.of("../pom.xml"));
    for (Path project : List.of(ATTENTION, QUICKSTART)) {
      String pom = Files.readString(project.resolve("pom.xml"));
      assertTrue(
          pom.contains("<jformer.version>" + between(root, "<version>", "</version>") + "<"),
          project + ": version of jformer");
      if (pom.contains("<auto-service.version>")) {
        assertEquals(property(root, "auto-service.version"), property(pom, "auto-service.version"));
      }
      if (pom.contains("<junit.version>")) {
        assertEquals(property(root, "junit.version"), property(pom, "junit.version"));
      }
    }
    String gradle = Files.readString(QUICKSTART.resolve("build.gradle.kts"));
    String javacpp = property(root, "javacpp.version");
    for (String name : List.of("pytorch", "openblas", "mkl")) {
      String version = property(root, name + ".version").replace("${javacpp.version}", javacpp);
      assertTrue(gradle.contains("org.bytedeco:" + name + ":" + version), name + " " + version);
    }
  }

  private static String property(String pom, String name) {
    return between(pom, "<" + name + ">", "</" + name + ">");
  }

  private static String between(String text, String before, String after) {
    int start = text.indexOf(before) + before.length();
    return text.substring(start, text.indexOf(after, start));
  }
}
