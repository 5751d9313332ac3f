package dev.jformer.studies.algorithmic;

import dev.jformer.io.TemporaryFolder;
import dev.jformer.program.DiscreteProgram;
import dev.jformer.program.JavaWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** A program that was written as Java, compiled and loaded, so that what was written is run. */
final class CompiledProgram implements AutoCloseable {
  private final TemporaryFolder folder;
  private final URLClassLoader loader;
  private final Method run;

  CompiledProgram(DiscreteProgram program) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    if (compiler == null) {
      throw new IllegalStateException(
          "there is no Java compiler: run this study with a JDK, not with a runtime alone");
    }
    try {
      folder = TemporaryFolder.create("program");
      Path file = folder.path().resolve(program.name() + ".java");
      Files.writeString(file, JavaWriter.write(program));
      StringWriter messages = new StringWriter();
      var files = compiler.getStandardFileManager(null, null, null);
      List<String> options =
          List.of("--release", "17", "-proc:none", "-d", folder.path().toString());
      if (!compiler
          .getTask(messages, files, null, options, null, files.getJavaFileObjects(file))
          .call()) {
        throw new IllegalStateException("a program does not compile: " + messages);
      }
      loader = new URLClassLoader(new URL[] {folder.path().toUri().toURL()}, null);
      run = loader.loadClass(program.name()).getMethod("run", String[].class);
    } catch (IOException | ReflectiveOperationException e) {
      throw new IllegalStateException("cannot compile a program", e);
    }
  }

  /** Labels tokens. */
  List<String> run(List<String> tokens) {
    try {
      return List.of((String[]) run.invoke(null, (Object) tokens.toArray(String[]::new)));
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a program failed", e);
    }
  }

  @Override
  public void close() {
    try {
      loader.close();
      folder.close();
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
