package dev.jformer.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names that a field or a part's type had in earlier versions. Files that use them can still be
 * read; files are written with the present name.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.RECORD_COMPONENT, ElementType.TYPE})
public @interface FormerNames {
  /** The names, in any order. */
  String[] value();
}
