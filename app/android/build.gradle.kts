// SPDX-License-Identifier: Apache-2.0
plugins {
    alias(libs.plugins.android.application) apply false
    alias(libs.plugins.android.library) apply false
    alias(libs.plugins.kotlin.compose) apply false
    alias(libs.plugins.kotlin.jvm) apply false
}

subprojects {
    group = providers.gradleProperty("relight.group").get()
    version = providers.gradleProperty("relight.version").get()

    // What a repository asks of a library besides its files.
    plugins.withId("maven-publish") {
        extensions.configure<PublishingExtension> {
            publications.withType<MavenPublication>().configureEach {
                pom {
                    name = "Portrait Relight"
                    description = "Adds a key light to portraits, on the phone."
                    url = "https://github.com/portrait-relight/portrait-relight"
                    licenses {
                        license {
                            name = "Apache-2.0"
                            url = "https://www.apache.org/licenses/LICENSE-2.0.txt"
                        }
                    }
                    developers {
                        developer { name = "The Portrait Relight authors" }
                    }
                    scm {
                        url = "https://github.com/portrait-relight/portrait-relight"
                        connection = "scm:git:https://github.com/portrait-relight/portrait-relight.git"
                    }
                }
            }
        }
    }
}
