package dev.jformer.program;

import java.io.IOException;
import java.io.StringWriter;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** A program that was written as Java, compiled and loaded. */
public final class Compiled implements AutoCloseable {
  private final URLClassLoader loader;
  private final Class<?> type;

  /** Compiles a program's source in a folder. */
  public Compiled(String name, String source, Path folder) throws IOException {
    Path file = folder.resolve(name + ".java");
    Files.writeString(file, source);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter messages = new StringWriter();
    boolean done =
        compiler
            .getTask(
                messages,
                null,
                null,
                List.of("--release", "17", "-Xlint:all", "-proc:none", "-d", folder.toString()),
                null,
                compiler.getStandardFileManager(null, null, null).getJavaFileObjects(file))
            .call();
    if (!done || !messages.toString().isEmpty()) {
      throw new AssertionError(messages + "\n" + source);
    }
    loader = new URLClassLoader(new URL[] {folder.toUri().toURL()}, null);
    try {
      type = loader.loadClass(name);
    } catch (ClassNotFoundException e) {
      throw new AssertionError(e);
    }
  }

  /** Labels tokens. */
  public List<String> run(List<String> tokens) {
    try {
      Object labels =
          type.getMethod("run", String[].class)
              .invoke(null, (Object) tokens.toArray(String[]::new));
      return List.of((String[]) labels);
    } catch (InvocationTargetException e) {
      throw (RuntimeException) e.getCause();
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(e.getMessage(), e);
    }
  }

  @Override
  public void close() throws IOException {
    loader.close();
  }
}
