// SPDX-License-Identifier: Apache-2.0
pluginManagement {
    repositories {
        google()
        mavenCentral()
        gradlePluginPortal()
    }
}

dependencyResolutionManagement {
    repositoriesMode.set(RepositoriesMode.FAIL_ON_PROJECT_REPOS)
    repositories {
        google()
        mavenCentral()
    }
}

rootProject.name = "portrait-relight-android"
include(":relight-core", ":relight-android", ":sample")
project(":relight-core").projectDir = file("core")
project(":relight-android").projectDir = file("tflite")
project(":sample").projectDir = file("app")
