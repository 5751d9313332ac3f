package dev.jformer.javadocindex;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.util.Set;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.annotation.processing.SupportedAnnotationTypes;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.AnnotationMirror;
import javax.lang.model.element.Element;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.NestingKind;
import javax.lang.model.element.TypeElement;
import javax.lang.model.util.ElementFilter;
import javax.tools.StandardLocation;

/**
 * Writes the Javadoc of each public type, and of each that is a service ({@code @AutoService}),
 * into the resource {@code META-INF/jformer/javadoc/NAME.json}, NAME being the type's binary name.
 * The resource has two fields: {@code text}, the comment before its block tags, and {@code
 * parameters}, the texts of its {@code @param} tags by name. Types without Javadoc have no
 * resource.
 */
@SupportedAnnotationTypes("*")
public final class JavadocIndexProcessor extends AbstractProcessor {
  /** The folder of the resources. */
  private static final String FOLDER = "META-INF/jformer/javadoc/";

  /** Made by the compiler. */
  public JavadocIndexProcessor() {}

  @Override
  public SourceVersion getSupportedSourceVersion() {
    return SourceVersion.latestSupported();
  }

  @Override
  public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
    ElementFilter.typesIn(round.getRootElements()).forEach(this::index);
    return false; // the annotations are left for other processors
  }

  private void index(TypeElement type) {
    String comment = processingEnv.getElementUtils().getDocComment(type);
    if (comment != null && isIndexed(type)) {
      write(type, DocComment.parse(comment));
    }
    ElementFilter.typesIn(type.getEnclosedElements()).forEach(this::index);
  }

  private static boolean isIndexed(TypeElement type) {
    return type.getNestingKind() == NestingKind.TOP_LEVEL
        || type.getModifiers().contains(Modifier.PUBLIC)
        || isService(type);
  }

  private static boolean isService(Element type) {
    for (AnnotationMirror annotation : type.getAnnotationMirrors()) {
      if (annotation.getAnnotationType().asElement().getSimpleName().contentEquals("AutoService")) {
        return true;
      }
    }
    return false;
  }

  private void write(TypeElement type, DocComment comment) {
    String name = FOLDER + processingEnv.getElementUtils().getBinaryName(type) + ".json";
    try (Writer writer =
        processingEnv
            .getFiler()
            .createResource(StandardLocation.CLASS_OUTPUT, "", name, type)
            .openWriter()) {
      writer.write(comment.json());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + name, e);
    }
  }
}
