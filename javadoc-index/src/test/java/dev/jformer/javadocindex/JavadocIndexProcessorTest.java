package dev.jformer.javadocindex;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JavadocIndexProcessorTest {
  @TempDir Path folder;

  @Test
  void keepsTheJavadocOfPublicTypesAndServices() throws Exception {
    Path index =
        compile(
            """
        package sample;
        /**
         * A "sample", é.
         *
         * <p>More
         * text.
         *
         * @param a the
         *     first
         * @param b the {@code second}
         * @see Object
         */
        public record Sample(int a, int b) {
          /** A service. */
          @AutoService static class Service {}
          /** Not to be seen. */
          static class Hidden {}
          /** An annotation. */
          @interface AutoService {}
          public static class Silent {}
        }
        """);
    assertEquals(
        """
        {
          "text": "A \\"sample\\", \\u00e9.\\n\\n<p>More\\ntext.",
          "parameters": {
            "a": "the\\n    first",
            "b": "the {@code second}"
          }
        }
        """,
        Files.readString(index.resolve("sample.Sample.json")));
    assertTrue(Files.exists(index.resolve("sample.Sample$Service.json")));
    assertFalse(Files.exists(index.resolve("sample.Sample$Hidden.json")));
    assertFalse(Files.exists(index.resolve("sample.Sample$Silent.json")));
  }

  private Path compile(String source) throws Exception {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (var files = compiler.getStandardFileManager(null, null, null)) {
      Path file = Files.writeString(folder.resolve("Sample.java"), source);
      var task =
          compiler.getTask(
              null,
              files,
              null,
              List.of("-d", folder.toString(), "-encoding", "UTF-8"),
              null,
              files.getJavaFileObjects(file));
      task.setProcessors(List.of(new JavadocIndexProcessor()));
      assertTrue(task.call());
    }
    return folder.resolve("META-INF/jformer/javadoc");
  }
}
